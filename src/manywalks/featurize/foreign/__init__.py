"""Features made elsewhere: functions, tables of vectors, MiniMol."""
