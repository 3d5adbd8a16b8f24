select
    cast(exp(x) as double) as exponential,
    cast(exp(greatest(-30, least(30, x))) as double) as bounded,
    cast(power(2, least(x, 10)) as double) as power,
    cast(sqrt(abs(x)) as double) as root,
    cast(ln(greatest(abs(x), 1)) as double) as logarithm,
    cast(log2(greatest(abs(x), 1)) as double) as binary_logarithm
from (values (0.0), (1.5), (-2), (-1000), (256), (null)) as numbers (x)
