with run as (

    select * from {{ ref('int_customer_value__run') }}

),

orders as (

    select * from {{ ref('orders_cleaned') }}

),

-- What falls on the run's date or later is not known yet, also where the orders tell the date.
contacts as (

    select
        contacts.customer_id,
        contacts.campaign_id,
        coalesce(nullif(trim(contacts.treatment), ''), 'contacted') as treatment,
        coalesce(contacts.cost_amount, 0) as cost_amount,
        contacts.contacted_at,
        case
            when contacts.responded_at >= contacts.contacted_at
                and {{ customer_value.reporting_date('contacts.responded_at') }} < run.as_of_date
                then contacts.responded_at
        end as responded_at
    from {{ ref('int_customer_value__campaign_contacts_checked') }} as contacts
    cross join run
    where contacts.reject_reason is null and {{ customer_value.reporting_date('contacts.contacted_at') }} < run.as_of_date

),

-- What a customer was first assigned to counts, whatever came later: else those who were sent a
-- second one because they bought would count as its success.
numbered as (

    select
        *,
        row_number() over (
            partition by campaign_id, customer_id
            order by contacted_at, treatment, responded_at nulls last, cost_amount
        ) as contact_number
    from contacts

),

contacted as (

    select
        campaign_id,
        customer_id,
        max(case when contact_number = 1 then treatment end) as treatment,
        min(contacted_at) as contacted_at,
        min(responded_at) as responded_at,
        count(*) as contact_count,
        sum(cost_amount) as cost_amount
    from numbered
    group by campaign_id, customer_id

),

judged as (

    select
        *,
        lower(treatment) in ({{ customer_value.control_treatments() }}) as is_control
    from contacted

),

-- Without a control group, those who were left alone stand in, on the day in the middle. Where
-- contacts are spread over more than the window there is no such day, and nothing to compare with.
campaigns as (

    select
        campaign_id,
        {{ customer_value.middle_time("contacted_at") }} as contacted_at
    from judged
    group by campaign_id
    having
        not bool_or(is_control)
        and {{ customer_value.datediff('min(contacted_at)', 'max(contacted_at)', 'day') }} <= {{ var('campaign_window_days') }}

),

customers as (

    select
        customer_id,
        ordered_at as first_ordered_at,
        count(*) over () as customer_count
    from orders
    where is_first_order

),

-- A bounded sample of them: as many as models are trained on tell as much as all would.
compared as (

    select
        campaigns.campaign_id,
        customers.customer_id,
        campaigns.contacted_at
    from campaigns
    inner join customers
        on
            campaigns.contacted_at > customers.first_ordered_at
            and {{ customer_value.hash_fraction("campaigns.campaign_id || ':' || customers.customer_id") }}
            < cast({{ var('max_training_rows') }} as {{ customer_value.type_double() }}) / customers.customer_count
    left join judged on campaigns.campaign_id = judged.campaign_id and customers.customer_id = judged.customer_id
    where judged.customer_id is null

),

targets as (

    select
        campaign_id,
        customer_id,
        treatment,
        case when is_control then 'control' else 'treated' end as arm,
        contacted_at,
        responded_at,
        contact_count,
        cost_amount
    from judged

    union all

    select
        campaign_id,
        customer_id,
        cast(null as {{ dbt.type_string() }}) as treatment,
        'comparison' as arm,
        contacted_at,
        cast(null as timestamp) as responded_at,
        0 as contact_count,
        0 as cost_amount
    from compared

)

select
    targets.campaign_id,
    targets.customer_id,
    targets.treatment,
    targets.arm,
    targets.contacted_at,
    {{ customer_value.reporting_date('targets.contacted_at') }} as contact_date,
    cast(
        {{ customer_value.dateadd('day', var('campaign_window_days'), customer_value.reporting_date('targets.contacted_at')) }} as date
    ) as window_end_date,
    targets.responded_at,
    targets.contact_count,
    cast(targets.cost_amount as {{ customer_value.type_amount() }}) as cost_amount
from targets
