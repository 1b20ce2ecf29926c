"""The wire contracts: each folder is one document's paths, fields, words and tokens."""
