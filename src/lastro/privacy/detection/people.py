"""Names of people, as many have them in Brazil and in the United States, without accents and in small letters.

Given names and surnames are facts of the language; the lists are short on purpose, since a column is told by a part of
its values.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GIVEN = _words(
    """
    ana maria antonia adriana aline amanda andrea andressa angela aparecida beatriz bianca bruna camila carla
    carolina caroline cecilia clara claudia cristiane cristina daiane daniela debora denise eduarda elaine
    eliane elisa elisangela emanuelly erica erika fabiana fatima fernanda flavia francisca gabriela gabrielly
    giovanna gislaine giulia helena heloisa ingrid isabel isabela isabella isabelly isadora ivone jaqueline
    jessica joana josefa joyce juliana julia karen karina kelly lara larissa laura lavinia leticia lidia livia
    lorena luana lucia luciana luiza luisa luzia manuela marcela marcia margarida mariana marina marisa marta
    melissa michele michelle milena mirella monica monique natalia nathalia nicole olivia patricia paula pietra
    priscila rafaela raquel rebeca regina renata rita roberta rosa rosana rosangela rosemary sabrina sandra sara
    sarah sebastiana silvana silvia simone solange sonia sophia sofia stefany stella sueli suzana tais taina
    tania tatiane tereza teresa terezinha valeria vanessa vera vitoria viviane yasmin zilda alice valentina
    agatha allana maya stephany marcella catarina antonella esther elis maite liz aurora abel adilson adriano
    agenor alan alberto alessandro alex alexandre alexsandro altair aluizio alvaro anderson andre antonio arthur
    artur augusto benedito benicio benjamin bento bernardo breno bruno bryan caio caleb calebe carlos cassio
    caua celso cesar claudio cleber cristiano daniel danilo danillo davi david diego diogo douglas edilson edson
    eduardo elias emanuel enrico enzo erick eric ernesto evandro everton fabio fabricio felipe fernando flavio
    francisco gabriel geraldo gerson gilberto gilmar giovanni guilherme gustavo heitor helio henrique henry hugo
    igor isaac isaque ismael ivan jair jean jeferson joao joaquim jonas jonathan jorge jose josue juan julio
    juliano kaique kaue kevin lauro leandro leonardo levi lorenzo lucas lucca luan luciano luis luiz marcelo
    marcio marco marcos marcus mario matheus mateus mauricio mauro miguel milton moises murilo nathan nelson
    nicolas noah osvaldo otavio paulo pedro pietro rafael raimundo ramon raul reinaldo renan renato ricardo
    roberto robson rodrigo roger rogerio romulo ronaldo rubens ruan ryan samuel sandro sebastiao sergio severino
    sidnei silvio thales theo thiago tiago thomas tomas valdir valter vicente vinicius vitor victor wagner
    walter washington wellington wesley william willian yago yuri ze anthony joaquina apollo ian luigi oliver

    mary patricia jennifer linda elizabeth barbara susan jessica karen sarah lisa nancy betty sandra margaret
    ashley kimberly emily donna michelle carol amanda melissa deborah stephanie dorothy rebecca sharon laura
    cynthia amy kathleen angela shirley brenda emma anna pamela nicole samantha katherine christine helen debra
    rachel carolyn janet maria catherine heather diane olivia julie joyce victoria ruth virginia lauren kelly
    christina joan evelyn judith andrea hannah megan cheryl jacqueline martha madison teresa gloria sara janice
    ann kathryn abigail sophia frances jean alice judy isabella julia grace amber denise danielle marilyn
    beverly charlotte natalie theresa diana brittany doris kayla alexis lori marie tiffany tammy courtney erin
    crystal dawn monica erica allison morgan vanessa alyssa jasmine lindsey kristen kristin katie holly leslie
    jenna shannon kathy april veronica melanie wendy jamie robin sheila tara stacy stacey tracy gina dana
    cassandra valerie sabrina chelsea caitlin kelsey molly paige mackenzie haley taylor bethany kristina anita
    regina renee sherry carrie jill ellen peggy connie candice misty jenny desiree tina annette joanna yolanda
    bonnie felicia tonya rhonda tanya kara claire autumn mia ava sofia chloe zoe lily james robert john michael
    david william richard joseph thomas christopher charles daniel matthew anthony mark donald steven andrew
    paul joshua kenneth kevin brian timothy ronald george jason edward jeffrey ryan jacob nicholas gary eric
    jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick frank raymond jack
    dennis jerry tyler aaron jose adam nathan henry zachary douglas peter kyle noah ethan jeremy christian
    walter keith austin roger terry sean gerald carl dylan harold jordan jesse bryan lawrence arthur gabriel
    bruce logan billy joe alan juan elijah willie albert wayne randy vincent mason roy ralph bobby russell
    bradley philip eugene cody derek chad travis jeffery shawn marcus antonio curtis luis carlos erik corey
    dustin victor joel phillip craig brett danny jared shane trevor johnny jimmy cory edwin chase troy casey
    evan ricardo mario angel clayton mitchell spencer garrett maxwell devin colin dakota brent wesley lance
    darren ian cameron caleb hunter connor lucas luke isaac oscar martin liam mike chris matt steve tom jim bob
    bill dan dave tony
    """
)
SURNAMES = _words(
    """
    abreu aguiar albuquerque alencar almeida alves amaral amorim andrade antunes aragao araujo assis azevedo
    bandeira barbosa barros barroso batista bezerra bittencourt borges braga brandao brito bueno cabral caldeira
    camargo campos cardoso carneiro carvalho castro cavalcante cavalcanti chagas chaves coelho conceicao
    cordeiro correa correia costa coutinho couto cruz cunha dantas dias diniz domingues duarte esteves
    evangelista farias felix fernandes ferraz ferreira figueiredo fonseca fontes franca franco freire freitas
    furtado galvao garcia gomes goncalves guedes guerra guimaraes gouveia jesus lacerda leal leao leite lemos
    lima linhares lins lisboa lobo lopes louzada lourenco luz macedo machado maciel magalhaes maia malta marinho
    marques martins matias matos mattos medeiros meireles melo mello mendes mendonca menezes mesquita miranda
    monteiro montenegro moraes morais moreira mota motta moura muniz nascimento neves nobrega nogueira novaes
    nunes oliveira pacheco padilha paes paiva paixao parente passos peixoto pereira pessoa pimentel pinheiro
    pinto pires porto prado queiroz rabelo ramos rego reis rezende ribeiro rios rocha rodrigues sa sales sampaio
    sanches santana santiago santos saraiva schmidt seixas sena serra silva silveira simoes siqueira soares
    sousa souza tavares teixeira teles toledo torres trindade vale valente valverde vargas vasconcelos vaz veiga
    ventura viana vidal vieira vilela xavier viegas lira porto duarte

    smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson
    anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis
    robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera
    campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart
    morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim
    cox ward richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez castillo
    sanders patel myers long ross foster jimenez powell jenkins perry russell sullivan bell coleman butler
    henderson barnes gonzales fisher vasquez simmons romero jordan patterson alexander hamilton graham reynolds
    griffin wallace moreno west cole hayes bryant herrera gibson ellis tran medina aguilar stevens murray ford
    castro marshall owens harrison fernandez mcdonald woods washington kennedy wells vargas henry chen freeman
    webb tucker guzman burns crawford olson simpson porter hunter gordon mendez silva shaw snyder mason dixon
    munoz hunt hicks holmes palmer wagner black robertson boyd rose stone salazar fox warren mills meyer rice
    schmidt garza daniels ferguson nichols stephens soto weaver ryan gardner payne grant dunn kelley spencer
    hawkins arnold pierce hansen peters santos hart bradley knight elliott cunningham duncan armstrong hudson
    carroll lane riley andrews alvarado ray delgado berry perkins hoffman johnston matthews pena richards
    contreras willis carpenter lawrence sandoval oneill obrien oconnor
    """
)
TITLES = _words("sr sra srta dr dra dom dona mr mrs ms miss mx prof sir eng")
LINKS = _words("da de do das dos e di del la von van der jr junior filho neto sobrinho ii iii iv md dds phd dvm")
FIRMS = _words(
    "ltda sa eireli me epp ei inc llc ltd plc corp group and filhos cia comercio servicos industria company bank banco"
    " associates partners sons holdings gmbh"
)
