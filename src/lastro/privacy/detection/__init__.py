"""Detection: which values are about natural persons, told from their form, their check digits and their column's name.

Pure: values and names come in, kinds and classes go out, and no value ever does.
"""
