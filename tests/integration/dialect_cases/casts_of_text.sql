select
    given, try_cast(given as decimal(18, 2)) as amount, try_cast(given as double) as number,
    try_cast(given as timestamp) as moment,
    try_cast(given as date) as day
from (
    values
        ('12.345'), (' 7 '), ('1e3'), ('-0.005'), ('1_000'), ('0x1F'), ('NaN'), ('+infinity'), ('-Infinity'),
        ('twelve'), (''), (' '), (null), ('12,50'), ('99999999999999999999'), ('.5'), ('5.'), ('+3'),
        ('2024-02-30'), ('2024-02-29'), ('2024-2-9'), ('1/2/2024'), ('today'), ('2024-01-01 10:00'),
        ('2024-01-01T10:00:00'), ('2024-01-01 10:00:00.123456'), ('true'), ('2147483648')
) as texts (given)
