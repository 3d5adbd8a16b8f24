{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        pre_hook="{% if is_incremental() %}delete from {{ this }} where valid_from_date >= (select as_of_date from {{ ref('int_customer_value__run') }}) or customer_id in (select customer_id from {{ ref('int_customer_value__customers_left_out') }} where reason = 'erased_customer'){% endif %}"
    )
}}

-- depends_on: {{ ref('int_customer_value__run') }}
-- depends_on: {{ ref('int_customer_value__customers_left_out') }}
-- A second run of the same date replaces what the first one said of it, and a run of an earlier
-- date all that came after; and who is erased leaves history too: hence the deletion before this
-- select.
with tiers_assigned as (

    select * from {{ ref('int_customer_value__tiers_assigned') }}

)

{%- if is_incremental() %},

latest as (

    select
        customer_id,
        tier
    from {{ this }}
    qualify row_number() over (partition by customer_id order by valid_from_date desc) = 1

)

select
    tiers_assigned.customer_id,
    tiers_assigned.as_of_date as valid_from_date,
    tiers_assigned.tier
from tiers_assigned
left join latest on tiers_assigned.customer_id = latest.customer_id
where latest.tier is null or latest.tier <> tiers_assigned.tier
{%- else %}

select
    customer_id,
    as_of_date as valid_from_date,
    tier
from tiers_assigned
{%- endif %}
