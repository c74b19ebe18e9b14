"""What no provider's schema says: values that an attribute can have, and JSON inside of texts.

`enums` puts the values into schemas, for Terraform to report wrong ones with their lines; `plan`
looks into the texts of a plan. `shapes`, `policy` and `states` know one kind of text each. Pure:
the models of AWS are given as data.
"""
