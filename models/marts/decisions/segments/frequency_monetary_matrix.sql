{%- set double = customer_value.type_double() -%}
{#- A mean of fewer customers says little of what others would come to. -#}
{%- set fewest_to_compare_with = 30 -%}

with customers as (

    select
        customer_id,
        order_count,
        net_amount,
        average_order_value,
        -- How many spend strictly less per order: ties share a band.
        100 * cast(rank() over (order by average_order_value) - 1 as {{ double }}) / count(*) over () as amount_percentile
    from {{ ref('customer_value', 'customers') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

correlation as (

    select * from {{ ref('int_customer_value__frequency_correlation') }}

),

frequency_bands as (

    select * from {{ ref('order_bands') }}
    where band_of = 'frequency'

),

amount_bands as (

    select * from {{ ref('order_bands') }}
    where band_of = 'amount'

),

measured as (

    select
        frequency_bands.band_number as frequency_band_number,
        amount_bands.band_number as amount_band_number,
        count(*) as customer_count,
        sum(customers.order_count) as order_count,
        sum(customers.net_amount) as net_amount,
        min(customers.average_order_value) as lowest_order_value,
        max(customers.average_order_value) as highest_order_value
    from customers
    inner join frequency_bands
        on
            customers.order_count >= frequency_bands.band_from
            and customers.order_count < frequency_bands.band_to
    inner join amount_bands
        on
            customers.amount_percentile >= amount_bands.band_from
            and customers.amount_percentile < amount_bands.band_to
    group by frequency_bands.band_number, amount_bands.band_number

),

totals as (

    select
        sum(customer_count) as customer_count,
        sum(net_amount) as net_amount
    from measured

),

-- Every cell of the matrix, those without customers too; none without any order.
cells as (

    select
        frequency_bands.band_number as frequency_band_number,
        frequency_bands.band as frequency_band,
        frequency_bands.assumed_response_rate as frequency_response_rate,
        amount_bands.band_number as amount_band_number,
        amount_bands.band as amount_band,
        amount_bands.assumed_response_rate as amount_response_rate,
        coalesce(measured.customer_count, 0) as customer_count,
        coalesce(measured.order_count, 0) as order_count,
        coalesce(measured.net_amount, 0) as net_amount,
        measured.lowest_order_value,
        measured.highest_order_value,
        cast(measured.net_amount as {{ double }}) / measured.customer_count as net_amount_per_customer,
        totals.customer_count as all_customer_count,
        totals.net_amount as all_net_amount
    from frequency_bands
    cross join amount_bands
    cross join totals
    left join measured
        on
            frequency_bands.band_number = measured.frequency_band_number
            and amount_bands.band_number = measured.amount_band_number
    where totals.customer_count > 0

),

-- What a cell's customers would bring more, were the assumed share of them like those one band up.
compared as (

    select
        cells.*,
        {% for move, other in [('frequency', 'amount'), ('amount', 'frequency')] -%}
            case
                when next_{{ move }}.customer_count >= {{ fewest_to_compare_with }}
                    then
                        cells.customer_count * cells.{{ move }}_response_rate
                        * greatest(0, next_{{ move }}.net_amount_per_customer - coalesce(cells.net_amount_per_customer, 0))
            end as {{ move }}_upside {{- ',' if not loop.last }}
        {% endfor %}
    from cells
    left join cells as next_frequency
        on
            cells.frequency_band_number + 1 = next_frequency.frequency_band_number
            and cells.amount_band_number = next_frequency.amount_band_number
    left join cells as next_amount
        on
            cells.amount_band_number + 1 = next_amount.amount_band_number
            and cells.frequency_band_number = next_amount.frequency_band_number

)

select
    cast(compared.frequency_band_number as {{ dbt.type_int() }}) as frequency_band_number,
    compared.frequency_band,
    cast(compared.amount_band_number as {{ dbt.type_int() }}) as amount_band_number,
    compared.amount_band,
    cast(compared.lowest_order_value as {{ customer_value.type_amount() }}) as lowest_order_value,
    cast(compared.highest_order_value as {{ customer_value.type_amount() }}) as highest_order_value,
    cast(compared.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(compared.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(compared.net_amount as {{ customer_value.type_amount() }}) as net_amount,
    round(cast(compared.customer_count as {{ double }}) / compared.all_customer_count, 6) as customer_share,
    round(cast(compared.net_amount as {{ double }}) / nullif(cast(compared.all_net_amount as {{ double }}), 0), 6) as net_amount_share,
    {% for move in ['frequency', 'amount'] -%}
        compared.{{ move }}_response_rate,
        cast(compared.{{ move }}_upside as {{ customer_value.type_amount() }}) as {{ move }}_upside_amount,
    {% endfor -%}
    case
        when compared.frequency_upside is null and compared.amount_upside is null then null
        when coalesce(compared.frequency_upside, 0) = 0 and coalesce(compared.amount_upside, 0) = 0 then null
        when coalesce(compared.frequency_upside, 0) >= coalesce(compared.amount_upside, 0) then 'order more often'
        else 'spend more per order'
    end as larger_upside,
    cast(
        rank() over (
            order by greatest(coalesce(compared.frequency_upside, 0), coalesce(compared.amount_upside, 0)) desc
        ) as {{ dbt.type_int() }}
    ) as upside_rank,
    cast(correlation.repeat_customer_count as {{ dbt.type_bigint() }}) as repeat_customer_count,
    {% for end in ['', '_lower', '_upper'] -%}
        round(correlation.correlation{{ end }}, 6) as correlation{{ end }},
    {% endfor -%}
    case
        when correlation.correlation_lower is null then 'Too few customers ordered more than once to tell'
        when correlation.correlation_lower > 0 then 'Who orders more often spends more per order'
        when correlation.correlation_upper < 0 then 'Who orders more often spends less per order'
        else 'Who orders more often is not shown to spend more or less per order'
    end as finding,
    run.as_of_date,
    run.run_id
from compared
cross join correlation
cross join run
