"""Tables of any form, read by one set of rules: CSV, Excel, Parquet, SDF, lists of SMILES."""
