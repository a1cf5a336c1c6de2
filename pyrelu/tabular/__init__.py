"""Networks for tables as they are: numbers, categories, dates, missing values."""
