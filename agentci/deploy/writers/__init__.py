"""Writers of single formats: typed values in, bytes out, in one fixed form.

The form is what the format's own formatter would make of it, by construction. They know escaping
and layout, and nothing of what is deployed.
"""
