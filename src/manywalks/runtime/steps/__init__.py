"""The steps of the pipeline in processes of their own: one process a step, or one that stays for several."""
