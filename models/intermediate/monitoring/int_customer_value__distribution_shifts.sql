{%- set limit = customer_value.monitored_customer_limit() -%}
{%- set double = customer_value.type_double() -%}
{%- set subjects = customer_value.monitored_features() + customer_value.monitored_predictions() + ['customer_model_net_amount'] -%}
{#- A bin that holds nobody would make PSI infinite: it counts as a thousandth. -#}
{%- set share_floor = 0.001 -%}

with run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

),

newest_model as (

    select max(model_registry.trained_as_of_date) as trained_as_of_date
    from {{ ref('model_registry') }} as model_registry

),

profiles as (

    select
        'training' as reference_name,
        newest_model.trained_as_of_date as reference_as_of_date,
        training_profile.subject_name,
        training_profile.tenure_band,
        training_profile.edge_value,
        training_profile.is_bin_end,
        training_profile.share_up_to,
        training_profile.tenure_days_from,
        training_profile.band_customer_count,
        training_profile.band_mean,
        training_profile.spread
    from {{ ref('int_customer_value__training_profile') }} as training_profile
    cross join newest_model

    union all

    select
        'previous' as reference_name,
        reference_as_of_date,
        subject_name,
        tenure_band,
        edge_value,
        is_bin_end,
        share_up_to,
        tenure_days_from,
        band_customer_count,
        band_mean,
        spread
    from {{ ref('int_customer_value__previous_profile') }}

),

sizes as (

    select count(*) as customer_count
    from {{ ref('customer_features') }} as customer_features
    inner join run on customer_features.as_of_date = run.as_of_date

),

horizon as (

    select max(days_to_end) as last_days
    from {{ ref('int_customer_value__periods') }}

),

-- Training examples are of no future period that could be levelled: like is held against like.
scores as (

    select
        curves.customer_id,
        curves.as_of_date,
        {{ customer_value.order_probability('horizon.last_days') }}
        * {{ customer_value.purchases_if_any('horizon.last_days') }}
        * curves.expected_purchase_amount as customer_model_net_amount
    from {{ ref('int_customer_value__customer_curves') }} as curves
    cross join horizon

),

customers_now as (

    select
        customer_features.customer_id,
        customer_features.tenure_days,
        {% for column_name in customer_value.monitored_features() -%}
            customer_features.{{ column_name }},
        {% endfor -%}
        prediction_history.churn_probability,
        prediction_history.predicted_net_amount,
        scores.customer_model_net_amount
    from {{ ref('customer_features') }} as customer_features
    inner join run on customer_features.as_of_date = run.as_of_date
    inner join {{ ref('prediction_history') }} as prediction_history
        on
            customer_features.customer_id = prediction_history.customer_id
            and customer_features.as_of_date = prediction_history.as_of_date
    inner join scores
        on
            customer_features.customer_id = scores.customer_id
            and customer_features.as_of_date = scores.as_of_date
    cross join sizes
    where {{ customer_value.hash_fraction("'monitoring:' || customer_features.customer_id") }} * sizes.customer_count < {{ limit }}

),

{{ customer_value.as_subjects('customers_now', 'customer_id', subjects) }},

values_now as (

    select
        subject_name,
        subject_value,
        count(*) as customer_count
    from customers_now_subjects
    group by subject_name, subject_value

),

bands as (

    select
        reference_name,
        tenure_band,
        tenure_days_from,
        band_customer_count,
        row_number() over (partition by reference_name order by tenure_band) as band_position,
        lead(tenure_days_from) over (partition by reference_name order by tenure_band) as tenure_days_to
    from profiles
    group by reference_name, tenure_band, tenure_days_from, band_customer_count

),

tenures_now as (

    select
        tenure_days,
        count(*) as customer_count,
        sum(count(*)) over () as whole_count
    from customers_now
    group by tenure_days

),

-- The share of the customers now in each band of tenure of a reference, whose ends are open.
weights as (

    select
        bands.reference_name,
        bands.tenure_band,
        bands.band_customer_count,
        coalesce(cast(sum(tenures_now.customer_count) as {{ double }}) / max(tenures_now.whole_count), 0) as weight
    from bands
    left join tenures_now
        on
            (bands.tenure_days_from <= tenures_now.tenure_days or bands.band_position = 1)
            and (bands.tenure_days_to > tenures_now.tenure_days or bands.tenure_days_to is null)
    group by bands.reference_name, bands.tenure_band, bands.band_customer_count

),

-- The variance of a share that is put together of bands, in terms of a single customer's.
reference_sizes as (

    select
        reference_name,
        cast(sum(cast(weight * weight / band_customer_count as decimal(38, 15))) as {{ double }}) as reference_variance
    from weights
    group by reference_name

),

-- The reference as it would be if its customers had first ordered as long ago as those now.
reference_edges as (

    select
        profiles.reference_name,
        profiles.reference_as_of_date,
        profiles.subject_name,
        profiles.edge_value,
        profiles.is_bin_end,
        profiles.spread,
        cast(sum(cast(weights.weight * profiles.share_up_to as decimal(38, 15))) as {{ double }}) as reference_share,
        cast(sum(cast(weights.weight * profiles.band_mean as decimal(38, 9))) as {{ double }}) as reference_mean
    from profiles
    inner join weights
        on
            profiles.reference_name = weights.reference_name
            and profiles.tenure_band = weights.tenure_band
    group by
        profiles.reference_name,
        profiles.reference_as_of_date,
        profiles.subject_name,
        profiles.edge_value,
        profiles.is_bin_end,
        profiles.spread

),

reference_ends as (

    select
        reference_name,
        subject_name,
        min(edge_value) as lowest_edge,
        max(edge_value) as highest_edge
    from reference_edges
    group by reference_name, subject_name

),

edges_among_values as (

    select
        reference_ends.reference_name,
        values_now.subject_name,
        values_now.subject_value,
        values_now.customer_count,
        0 as is_edge
    from values_now
    inner join reference_ends on values_now.subject_name = reference_ends.subject_name

    union all

    select
        reference_name,
        subject_name,
        edge_value as subject_value,
        0 as customer_count,
        1 as is_edge
    from reference_edges

),

counted_to_edges as (

    select
        reference_name,
        subject_name,
        subject_value as edge_value,
        is_edge,
        sum(customer_count) over (
            partition by reference_name, subject_name order by subject_value, is_edge
            rows between unbounded preceding and current row
        ) as count_up_to
    from edges_among_values

),

-- Beyond the reference's ends its share is 0 or 1, so that the distance there is exact.
now_moments as (

    select
        reference_ends.reference_name,
        reference_ends.subject_name,
        sum(values_now.customer_count) as customer_count,
        cast(sum(cast(values_now.customer_count * values_now.subject_value as decimal(38, 9))) as {{ double }})
        / sum(values_now.customer_count) as current_mean,
        cast(
            sum(cast(
                values_now.customer_count * (
                    greatest(0, reference_ends.lowest_edge - values_now.subject_value)
                    + greatest(0, values_now.subject_value - reference_ends.highest_edge)
                ) as decimal(38, 9)
            )) as {{ double }}
        ) / sum(values_now.customer_count) as distance_beyond
    from reference_ends
    inner join values_now on reference_ends.subject_name = values_now.subject_name
    group by reference_ends.reference_name, reference_ends.subject_name

),

both_shares as (

    select
        reference_edges.*,
        case
            when reference_edges.edge_value = reference_ends.highest_edge then 1.0
            else cast(counted_to_edges.count_up_to as {{ double }}) / now_moments.customer_count
        end as current_share,
        lead(reference_edges.edge_value) over (
            partition by reference_edges.reference_name, reference_edges.subject_name order by reference_edges.edge_value
        ) - reference_edges.edge_value as width
    from reference_edges
    inner join reference_ends
        on
            reference_edges.reference_name = reference_ends.reference_name
            and reference_edges.subject_name = reference_ends.subject_name
    inner join now_moments
        on
            reference_edges.reference_name = now_moments.reference_name
            and reference_edges.subject_name = now_moments.subject_name
    inner join counted_to_edges
        on
            reference_edges.reference_name = counted_to_edges.reference_name
            and reference_edges.subject_name = counted_to_edges.subject_name
            and reference_edges.edge_value = counted_to_edges.edge_value
            and counted_to_edges.is_edge = 1

),

-- Between two edges the shares are those at the lower one, which is exact for values in steps.
distances as (

    select
        reference_name,
        subject_name,
        cast(
            coalesce(sum(cast(abs(current_share - reference_share) * width as decimal(38, 12))), 0) as {{ double }}
        ) as distance_within
    from both_shares
    group by reference_name, subject_name

),

bin_ends as (

    select
        *,
        current_share - coalesce(lag(current_share) over (partition by reference_name, subject_name order by edge_value), 0)
            as current_bin,
        reference_share - coalesce(lag(reference_share) over (partition by reference_name, subject_name order by edge_value), 0)
            as reference_bin,
        row_number() over (partition by reference_name, subject_name order by edge_value) as bin_number,
        count(*) over (partition by reference_name, subject_name) as bin_count
    from both_shares
    where is_bin_end

),

indices as (

    select
        reference_name,
        reference_as_of_date,
        subject_name,
        spread,
        reference_mean,
        bin_count,
        cast(
            sum(cast(
                (greatest(current_bin, {{ share_floor }}) - greatest(reference_bin, {{ share_floor }}))
                * ln(greatest(current_bin, {{ share_floor }}) / greatest(reference_bin, {{ share_floor }})) as decimal(38, 12)
            )) as {{ double }}
        ) as psi,
        max(case when bin_number = 1 then current_bin end) as current_lowest_rate,
        max(case when bin_number = 1 then reference_bin end) as reference_lowest_rate,
        max(case when bin_number = bin_count then current_bin end) as current_highest_rate,
        max(case when bin_number = bin_count then reference_bin end) as reference_highest_rate
    from bin_ends
    group by reference_name, reference_as_of_date, subject_name, spread, reference_mean, bin_count

)

select
    run.as_of_date,
    indices.reference_name,
    indices.reference_as_of_date,
    indices.subject_name,
    indices.psi,
    -- Without any drift PSI is about chi squared with a degree of freedom for each bin but one, times
    -- the variances of both shares (Yurdakul, 2018): what it exceeds once in a thousand times, with the
    -- quantile of Wilson and Hilferty (1931).
    case
        when indices.bin_count < 2 then 0.0
        else
            (1.0 / now_moments.customer_count + reference_sizes.reference_variance)
            * (indices.bin_count - 1)
            * power(1 - 2.0 / (9 * (indices.bin_count - 1)) + 3.09 * sqrt(2.0 / (9 * (indices.bin_count - 1))), 3)
    end as psi_by_chance,
    (distances.distance_within + now_moments.distance_beyond) / nullif(indices.spread, 0) as wasserstein_distance,
    now_moments.current_mean,
    indices.reference_mean,
    indices.current_lowest_rate,
    indices.reference_lowest_rate,
    indices.current_highest_rate,
    indices.reference_highest_rate,
    now_moments.customer_count as current_customer_count,
    cast(round(1 / reference_sizes.reference_variance) as {{ dbt.type_bigint() }}) as reference_customer_count
from indices
inner join distances
    on
        indices.reference_name = distances.reference_name
        and indices.subject_name = distances.subject_name
inner join now_moments
    on
        indices.reference_name = now_moments.reference_name
        and indices.subject_name = now_moments.subject_name
inner join reference_sizes on indices.reference_name = reference_sizes.reference_name
cross join run
