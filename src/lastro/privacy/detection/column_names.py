"""What a column's name says of its values: the kind of personal value, in English and Portuguese.

Rules:

1. A name is its words, without accents and in lower case, whatever joins them: `dataNascimento` is `data nascimento`.
   A plural is its singular.
2. Of the phrases in a name the longest is meant. Words that are run together are known from six letters on.
3. `nome` and `name` are of people where they stand alone, or beside a word for a person; never beside one for a thing.
4. Names of things (`product`, `pedido`, `sku`, …) say that what only has the form of something personal is not it;
   names of what is counted or noted about values (`has`, `count`, `type`, `verified`, …) that they are others.
5. `hash`, `token` and the like say that the values are not those that the name tells of.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lastro.model.naming import words


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PHRASES = {
    "cpf": "cpf; cpf cnpj; cadastro pessoa fisica; nu cpf; taxpayer id; contribuinte",
    "cnpj": "cnpj; cadastro pessoa juridica",
    "pis": "pis; nis; pasep; pis pasep; nit; numero inscricao social",
    "cnh": "cnh; carteira habilitacao; habilitacao; driver license; driver licence; driving license; driving licence"
    "; drivers license",
    "titulo_eleitor": "titulo eleitor; titulo eleitoral; voter id; voter registration; titulo de eleitor",
    "cns": "cns; cartao sus; cartao nacional saude; carteira sus; health card; cartao nacional de saude",
    "renavam": "renavam; renavan",
    "rg": "rg; registro geral; identidade; carteira identidade; identity card; identity number; national id"
    "; carteira de identidade",
    "passport": "passport; passaporte; passport number",
    "ssn": "ssn; social security; social security number; tax id; itin",
    "card": "card number; credit card; card; cartao; cartao credito; numero cartao; pan; debit card; cartao de credito"
    "; creditcard; cc number",
    "iban": "iban",
    "email": "email; e mail; mail; correio eletronico; email address",
    "phone": "phone; telefone; celular; fone; mobile; whatsapp; tel; telephone; cell; cellphone; contato; fax; ddd"
    "; phone number; msisdn; telemovel",
    "ip": "ip; ip address; endereco ip; client ip; remote addr; ipv4; ipv6; remote address; x forwarded for",
    "mac": "mac address; endereco mac",
    "imei": "imei; imsi; iccid",
    "device": "device id; advertising id; idfa; gaid; aparelho id; android id; cookie; cookie id; session id;"
    " fingerprint id",
    "plate": "plate; placa; license plate; placa veiculo; number plate; vehicle registration; licence plate; vin;"
    " chassi",
    "pix": "pix; chave pix; pix key; chave aleatoria",
    "name": "nome completo; full name; first name; last name; surname; sobrenome; primeiro nome; nome social; nome mae"
    "; nome pai; nome da mae; nome do pai; mother name; father name; mother; father; mae; pai; filiacao; maiden name"
    "; middle name; given name; family name; firstname; lastname; fullname; nome civil; nome conjuge; conjuge;"
    " spouse; apelido"
    "; nickname; nm pessoa; nm cliente; nm completo; titular; beneficiario; responsavel legal; ultimo nome",
    "address": "address; endereco; logradouro; rua; street; street address; addr; address line; residence; residencia"
    "; endereco residencial; endr; avenida; home address; numero residencia",
    "account": "account number; conta corrente; bank account; conta bancaria; numero conta; numero da conta; nr conta"
    "; num conta",
    "login": "login; username; user name; nome usuario; usuario login; twitter; instagram; facebook; linkedin"
    "; screen name; password; senha; pwd; nome de usuario",
    "person_id": "customer id; client id; cliente id; id cliente; id client; id customer; patient id; paciente id"
    "; id paciente; employee id; id funcionario; funcionario id; user id; usuario id; id usuario; person id; pessoa id"
    "; id pessoa; aluno id; id aluno; student id; member id; subject id; holder id; titular id; beneficiario id"
    "; id beneficiario; codigo cliente; cod cliente; cd cliente; customer code; customer number; matricula"
    "; customer key; employee number; patient number; mrn; medical record number; prontuario; applicant id; borrower id"
    "; id titular; nr matricula; userid; customerid; clientid; driver id; passenger id; voter number; colaborador id"
    "; id colaborador; associado id; id associado; resident id; citizen id; guest id; contact id; lead id",
    "document": "documento; document number; numero documento; doc identidade; document; identification number"
    "; nr documento; num documento; ctps; carteira trabalho; certidao; reservista; crm medico; oab",
    "cep": "cep; codigo postal",
    "postcode": "zip; zip code; zipcode; postcode; postal code; postal",
    "birth_date": "birth; birthday; birthdate; birth date; date birth; date of birth; dob; nascimento; data nascimento"
    "; dt nascimento; dt nasc; data nasc; data de nascimento; aniversario; nasc; birth year; year of birth"
    "; ano nascimento; birth day; birth month; dtnasc; datanasc; death date; data obito; date of death",
    "age": "age; idade; faixa etaria; age group; age range; age years; idade anos; faixa idade",
    "gender": "gender; sex; sexo; genero; identidade genero; gender identity; identidade de genero",
    "region": "uf; unidade federativa; sigla uf; uf residencia; estado residencia; us state",
    "city": "city; cidade; municipio; bairro; neighborhood; neighbourhood; town; district; naturalidade; birthplace"
    "; place of birth; local nascimento; hometown",
    "location": "latitude; longitude; lat; lon; lng; geolocation; geolocalizacao; coordinates; coordenadas; gps;"
    " geohash"
    "; geo lat; geo lon; geo point; localizacao",
    "nationality": "nationality; nacionalidade; citizenship; country of birth; pais nascimento; cidadania"
    "; pais de nascimento",
    "marital_status": "marital status; estado civil; civil status; marital; est civil; marital state",
    "occupation": "occupation; profissao; ocupacao; job title; cbo; profession; empregador; employer; cargo ocupado",
    "education": "education; escolaridade; education level; grau instrucao; grau de instrucao; schooling; formacao",
    "household": "dependents; dependentes; children; filhos; household size; numero filhos; num filhos; qtd filhos"
    "; number of children; number of dependents",
    "race": "race; raca; raca cor; ethnicity; etnia; ethnic group; skin color; cor pele; cor raca; cor da pele"
    "; ethnic; quilombola; indigena; skin colour",
    "religion": "religion; religiao; religious; faith; crenca; religious belief; crenca religiosa; igreja; church",
    "health": "saude; diagnosis; diagnostico; disease; doenca; icd; cid10; icd10; codigo cid; cod cid; blood type"
    "; tipo sanguineo; medication; medicamento; allergy; alergia; pregnant; gestante; hiv; diabetes; smoker; fumante"
    "; bmi; imc; medical condition; comorbidity; comorbidade; symptom; sintoma; vaccine; vacina"
    "; blood pressure; pressao arterial; glucose; glicose; cholesterol; colesterol; mental health; saude mental"
    "; prescription; prescricao; medical history; cid principal; historico medico; blood group; chronic condition",
    "disability": "disability; deficiencia; pcd; disabled; deficiente; special needs; necessidades especiais",
    "union": "union; union member; sindicato; filiacao sindical; sindicalizado; trade union; union membership",
    "political": "political party; partido; partido politico; political opinion; opiniao politica; political"
    " affiliation"
    "; filiacao partidaria; political view; filiacao politica; voted for; political",
    "biometric": "biometric; biometria; fingerprint; impressao digital; face encoding; faceid; face embedding; iris"
    " scan"
    "; voiceprint; facial; digital polegar; face id; retina; biometrico; biometrica; selfie; foto rosto",
    "genetic": "genetic; genetica; genome; genoma; dna; genotype; genotipo; genetico",
    "sexual_life": "sexual orientation; orientacao sexual; sexuality; sexualidade; sex life; vida sexual; sexual",
    "criminal": "criminal record; antecedentes criminais; criminal; antecedentes; conviction; condenacao; crime"
    "; arrest record",
    "income": "salary; salario; income; renda; wage; remuneracao; monthly income; renda mensal; net income; vencimento"
    " mensal; annual income; earnings; renda familiar; rendimento; rendimentos",
}
_PERSONS = _words(
    "customer client cliente person pessoa user usuario employee funcionario holder titular patient paciente student"
    " aluno member contact contato owner proprietario driver motorista passenger passageiro guest hospede applicant"
    " borrower debtor devedor beneficiary beneficiario dependent dependente teacher professor doctor medico author"
    " autor"
    " mother father mae pai spouse conjuge child filho filha buyer comprador seller vendedor subscriber assinante"
    " resident"
    " morador citizen cidadao worker trabalhador recipient destinatario sender remetente candidate candidato attendee"
    " participant participante representative representante socio partner agent corretor segurado insured full first"
    " last"
    " middle given family completo social primeiro ultimo civil maiden legal signer signatario lead manager gerente"
    " fiador avalista guarantor tutor responsavel victim vitima nm nome name de da do complete colaborador associado"
)
_THINGS = _words(
    "product produto item sku order pedido invoice nota nf nfe serial lote batch part peca contract contrato loan"
    " emprestimo transaction transacao file arquivo company empresa store loja branch filial agencia department"
    " departamento category categoria brand marca model modelo event evento campaign campanha project projeto table"
    " tabela column coluna field campo page pagina url domain dominio host server servidor machine maquina device app"
    " application aplicativo software package pacote version versao ticket chamado process processo protocolo protocol"
    " shipment remessa tracking rastreio warehouse estoque asset ativo equipment equipamento vehicle veiculo supplier"
    " fornecedor vendor carrier team equipe group grupo city cidade state estado country pais region regiao school"
    " escola"
    " university hospital hotel course curso class turma bank banco plan plano service servico payment pagamento"
    " metric metrica feature rule regra job task tarefa queue fila topic topico status type tipo code codigo title"
    " titulo"
    " song movie book livro filme artist album game jogo team time species especie street rua file dataset schema"
    " bucket"
    " barcode ean isbn gtin ref reference referencia account conta policy apolice sensor building imovel property asset"
)
_HIDDEN = _words("hash hashed token tokenized masked mascarado encrypted cifrado criptografado sha256 md5 hmac")
_ABOUT = _words(
    "has is count qtd quantidade num_of total valid valido verified verificado flag ind indicador status opt optin sent"
    " enviado created updated confirmado confirmed possui tem aceita accepts enabled ativo type tipo score"
    " domain dominio template subject assunto brand bandeira expiry validade"
)
TOLD_BY_NAME = _words(
    "birth_date age gender city region location nationality marital_status occupation education household race religion"
    " health disability union political biometric genetic sexual_life criminal income name address login"
)
"""Kinds that no form tells: beside the name of a thing, they are the thing's."""
_RUN_TOGETHER = 6
_WORDS_MAX = 5


@lru_cache(maxsize=4096)
def kind_named(name: str) -> str:
    """The kind of personal value that a column's name tells of; empty if it tells of none."""
    said = _singular(name)
    if _HIDDEN.intersection(said):
        return ""
    # `email_address` is an e-mail, `nome_rua` an address; of two phrases of one length the first in the name is meant.
    length, before, kind = max(_phrases_in(said), default=(0, 0, ""))
    beside = {*said[:-before], *said[length - before :]} if kind else set(said)
    if beside & _ABOUT:
        return ""
    if kind:
        return "" if kind in TOLD_BY_NAME and beside & _THINGS else kind
    if {"nome", "name", "nm"}.intersection(said):
        beside -= {"nome", "name", "nm"}
        return "name" if not beside or (beside & _PERSONS and not beside & _THINGS) else ""
    joined = "".join(said)
    return max(((len(phrase), kind) for phrase, kind in _JOINED.items() if phrase in joined), default=(0, ""))[1]


@lru_cache(maxsize=4096)
def names_thing(name: str) -> bool:
    """True if a column's name tells of a thing, and of no person's value."""
    return bool(_THINGS.intersection(_singular(name))) and not kind_named(name)


@lru_cache(maxsize=4096)
def is_hidden(name: str) -> bool:
    """True if a column's name says that its values stand for others: hashes, tokens, masks."""
    return bool(_HIDDEN.intersection(_singular(name)))


def _phrases_in(said: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    for start in range(len(said)):
        for length in range(1, min(_WORDS_MAX, len(said) - start) + 1):
            kind = _BY_PHRASE.get(said[start : start + length])
            if kind:
                yield length, -start, kind


def _singular(name: str) -> tuple[str, ...]:
    return tuple(_one(word) for word in words(name[:200]))


def _one(word: str) -> str:
    is_plural = len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural and word not in _ENDING_IN_S else word


_ENDING_IN_S = frozenset(word for phrases in _PHRASES.values() for word in phrases.split() if word.endswith("s"))
_BY_PHRASE = {
    tuple(phrase.split()): kind for kind, phrases in _PHRASES.items() for phrase in phrases.split(";") if phrase.split()
}
_JOINED = {"".join(phrase): kind for phrase, kind in _BY_PHRASE.items() if len("".join(phrase)) >= _RUN_TOGETHER}
