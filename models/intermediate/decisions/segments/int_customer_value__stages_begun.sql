with purchase_rhythms as (

    select * from {{ ref('int_customer_value__purchase_rhythms') }}

),

rules as (

    select * from {{ ref('lifecycle_stages') }}

),

-- The stage that each purchase put its customer in, on the day itself.
reached as (

    select
        purchase_rhythms.customer_id,
        purchase_rhythms.order_date,
        purchase_rhythms.return_rhythms,
        rules.lifecycle_stage,
        lag(rules.lifecycle_stage) over (
            partition by purchase_rhythms.customer_id order by purchase_rhythms.order_date
        ) as previous_stage,
        lag(rules.silence_rhythms_to) over (
            partition by purchase_rhythms.customer_id order by purchase_rhythms.order_date
        ) as previous_silence_rhythms_to
    from purchase_rhythms
    inner join rules
        on {{ customer_value.lifecycle_rule_holds('purchase_rhythms', 'rules', silence_rhythms='0') }}

)

-- A stage begins with a purchase where the one before had put the customer in another, or where so
-- long a silence lay between that it had run out.
select
    customer_id,
    max(order_date) as stage_began_date
from reached
where
    previous_stage is null
    or previous_stage <> lifecycle_stage
    or return_rhythms >= previous_silence_rhythms_to
group by customer_id
