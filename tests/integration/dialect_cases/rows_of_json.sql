select given.n, objects.object.name as name, objects.object.share as share, objects.object.day as day
from (
    values (1, '{"list": [{"name": "a", "share": 0.25, "day": "2024-01-02"}, {"name": null, "share": 1e-3}]}'),
        (2, '{"list": []}'), (3, '{}')
) as given (n, text)
cross join unnest(
    from_json(json_extract(text, '$.list'), '[{"name": "varchar", "share": "double", "day": "date"}]')
) as objects (object)
