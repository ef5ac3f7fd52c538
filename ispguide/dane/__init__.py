"""DANE: the key of port 25, promised in a signed zone (TLSA).

Pure; `dns/pinning.py` judges, `proofs/pinned.py` compares what is shown.
"""
