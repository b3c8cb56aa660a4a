"""The products that convolutions are made of: each technique in a file of its own."""
