select edition from {{ ref('customers') }}
where edition > {{ var('edition_limit') }}
