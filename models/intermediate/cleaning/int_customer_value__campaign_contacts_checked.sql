{{ config(materialized='view') }}

with campaign_contacts as (

    select
        campaign_contacts.*,
        coalesce(identities.canonical_customer_id, campaign_contacts.customer_id) as canonical_customer_id
    from {{ ref('stg_customer_value__campaign_contacts') }} as campaign_contacts
    left join {{ ref('int_customer_value__identities_merged') }} as identities on campaign_contacts.customer_id = identities.customer_id

),

customers_left_out as (

    select * from {{ ref('int_customer_value__customers_left_out') }}

),

judged as (

    select
        campaign_contacts.*,
        case
            {{ customer_value.customer_reject_reason('campaign_contacts') }}
            when campaign_contacts.campaign_id is null or {{ customer_value.is_blank('campaign_contacts.campaign_id') }} then 'missing_campaign_id'
            {{ customer_value.time_reject_reason('campaign_contacts', 'contacted_at') }}
            when {{ customer_value.is_unreadable('campaign_contacts.cost_amount', 'campaign_contacts.raw_cost_amount') }} then 'unparseable_cost'
            when {{ customer_value.is_out_of_range(['campaign_contacts.cost_amount']) }} then 'amount_out_of_range'
            when {{ customer_value.is_unreadable('campaign_contacts.responded_at', 'campaign_contacts.raw_responded_at') }} then 'unparseable_responded_at'
        end as first_reject_reason
    from campaign_contacts
    left join customers_left_out on campaign_contacts.customer_id = customers_left_out.customer_id

),

-- Copies of a row that is usable, apart from the one that is kept.
numbered as (

    select
        *,
        row_number() over (
            partition by first_reject_reason, customer_id, campaign_id, contacted_at, treatment
            order by responded_at nulls last, cost_amount nulls last
        ) as copy_number
    from judged

)

select
    canonical_customer_id as customer_id,
    customer_id as raw_customer_id,
    campaign_id,
    treatment,
    cost_amount,
    contacted_at,
    responded_at,
    raw_cost_amount,
    raw_contacted_at,
    raw_responded_at,
    case
        when first_reject_reason is null and copy_number > 1 then 'duplicate_contact'
        else first_reject_reason
    end as reject_reason
from numbered
