select
    cast(cast('0x' || substring(md5(t), 1, 8) as bigint) as double) / 4294967296 as fraction,
    sha256(t) as digest
from (values ('a'), (''), ('Zoë'), ('日本'), (null)) as texts (t)
