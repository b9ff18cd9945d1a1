"""Several columns at once, texts and vectors: what no column's own counts show, asked of samples of the rows.

Rules:

1. One question is about the rows as wholes, others about each column of vectors and each column of free text. Every
   one takes as much of the budget as a column does, so the chance of any false alarm stays what it was.
2. Whatever is learned is learned of one half of each side's sample and tested on the other half, and the other way
   round; only what was tested is told.
3. Sizes are shares of rows, or AUCs whose margin says the same: if no more than a share d of the rows are others,
   nothing that looks at them tells the sides apart with an AUC above 1/2 + d - d²/2.
4. Samples are drawn by a seed, and the answer says how large they were and what they can find.
5. Of a column that is withheld only whether a value is missing is looked at. No answer holds a value, a word or a part
   of one, of whichever column.
"""
