"""Receivers that mean harm, or are broken: what each does, and what an attempt at it has to come to."""
