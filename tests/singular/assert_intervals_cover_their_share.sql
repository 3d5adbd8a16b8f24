{{ config(severity=var('interval_severity')) }}

-- Tiers of whose held-out customers fewer fell into their value interval than interval_level
-- promises, by more than chance does.
select *
from {{ ref('interval_coverage') }}
where is_too_low
