"""Amounts as people read them: `$10.00`, for platforms that publish only the minor units."""

# ISO 4217: the currencies whose smallest unit is not a hundredth.
_MINOR_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip

_SYMBOLS = {
    "AUD": "$", "BRL": "R$", "CAD": "$", "CNY": "¥", "EUR": "€", "GBP": "£", "HKD": "$", "ILS": "₪", "INR": "₹",
    "JPY": "¥", "KRW": "₩", "MXN": "$", "NZD": "$", "PHP": "₱", "SGD": "$", "USD": "$", "VND": "₫",
}  # fmt: skip


def currency_symbol(currency: str) -> str:
    """The symbol of a currency, or its code when it has none that we know."""
    return _SYMBOLS.get(currency.upper(), currency)


def formatted_amount(amount: int, currency: str, symbol: str | None = None) -> str:
    """An amount of minor units with its symbol: 1000 USD is `$10.00`, 1000 JPY is `¥1,000`."""
    digits = _MINOR_DIGITS.get(currency.upper(), 2)
    whole, rest = divmod(abs(amount), 10**digits)
    fraction = f".{rest:0{digits}}" if digits else ""
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol or currency_symbol(currency)}{whole:,}{fraction}"
