{{ config(severity=var('interval_severity')) }}

-- Tiers of whose held-out customers fewer fell into their value interval than interval_level
-- promises, by more than three standard deviations.
select *
from {{ ref('interval_coverage') }}
where is_too_low
