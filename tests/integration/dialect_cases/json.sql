select
    cast(json_object('a', cast(n as varchar), 'b', cast(t as varchar)) as varchar) as written,
    json_extract_string('{"a": {"b": 1.5}, "c": null, "d": "x"}', '$.a.b') as inner_number,
    json_extract_string('{"a": {"b": 1.5}, "c": null, "d": "x"}', '$.c') as json_null,
    json_extract_string('{"a": {"b": 1.5}, "c": null, "d": "x"}', '$.e') as absent
from (values (1, 'say "hi"'), (null, 'tab	and \ and / and é'), (3, null)) as rows (n, t)
