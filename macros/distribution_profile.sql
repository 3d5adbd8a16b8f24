{#- CTEs that take the measure of some columns, to compare others with: how many points lie at or
    below each percentile of a column, by how long ago the customer first ordered.

    points: a CTE with customer_id, tenure_days and the columns; a customer may have several points,
    at several dates. The last CTE, distribution_profile, has a row for each column, band of tenure
    and edge. Bands are tenths of the points by tenure, fewer where a band would be of less than 50
    customers. Ties lie in one band, and at one edge. -#}
{% macro distribution_profile(points, columns) -%}
{%- set double = customer_value.type_double() -%}
profile_sizes as (

    select
        count(*) as point_count,
        least(10, greatest(1, floor(count(distinct customer_id) / 50.0))) as band_count
    from {{ points }}

),

tenures as (

    select
        tenure_days,
        sum(count(*)) over (order by tenure_days rows between unbounded preceding and current row) - count(*) as shorter_count
    from {{ points }}
    group by tenure_days

),

banded as (

    select
        points.*,
        cast(floor(profile_sizes.band_count * tenures.shorter_count / profile_sizes.point_count) as {{ dbt.type_int() }}) as tenure_band
    from {{ points }} as points
    inner join tenures on points.tenure_days = tenures.tenure_days
    cross join profile_sizes

),

bands as (

    select
        tenure_band,
        min(tenure_days) as tenure_days_from,
        count(*) as point_count,
        count(distinct customer_id) as customer_count
    from banded
    group by tenure_band

),

{{ customer_value.as_subjects('banded', 'tenure_band', columns) }},

values_counted as (

    select
        subject_name,
        tenure_band,
        subject_value,
        count(*) as point_count
    from banded_subjects
    group by subject_name, tenure_band, subject_value

),

values_ranked as (

    select
        subject_name,
        subject_value,
        sum(sum(point_count)) over (
            partition by subject_name order by subject_value rows between unbounded preceding and current row
        ) as count_up_to,
        sum(sum(point_count)) over (partition by subject_name) as whole_count,
        sum(point_count) as point_count
    from values_counted
    group by subject_name, subject_value

),

-- The highest value of each hundredth, the lowest value of all, and whatever value a tenth of the
-- points share.
edges as (

    select
        subject_name,
        10 * point_count >= whole_count as is_heavy,
        max(subject_value) as edge_value,
        max(ceil(10.0 * count_up_to / whole_count)) as tenth
    from values_ranked
    group by
        subject_name,
        10 * point_count >= whole_count,
        case when count_up_to = point_count then 0 else ceil(100.0 * count_up_to / whole_count) end

),

-- PSI asks in which tenth a value lies. A value that many share is a bin with what lies below it, so
-- that what lies above it is told apart.
edges_marked as (

    select
        subject_name,
        edge_value,
        is_heavy or edge_value = max(edge_value) over (partition by subject_name, tenth) as is_bin_end
    from edges

),

edges_among_values as (

    select
        subject_name,
        tenure_band,
        subject_value,
        point_count,
        0 as is_edge,
        false as is_bin_end
    from values_counted

    union all

    select
        edges_marked.subject_name,
        bands.tenure_band,
        edges_marked.edge_value as subject_value,
        0 as point_count,
        1 as is_edge,
        edges_marked.is_bin_end
    from edges_marked
    cross join bands

),

counted_to_edges as (

    select
        subject_name,
        tenure_band,
        subject_value as edge_value,
        is_edge,
        is_bin_end,
        sum(point_count) over (
            partition by subject_name, tenure_band order by subject_value, is_edge
            rows between unbounded preceding and current row
        ) as count_up_to
    from edges_among_values

),

-- Sums are of decimals, and so the same in every order. Beyond a billion nothing is measured to
-- the last digit.
subject_moments as (

    select
        subject_name,
        sqrt(greatest(
            0,
            cast(sum(cast(power(least(greatest(subject_value, -1e9), 1e9), 2) as decimal(38, 6))) as {{ double }}) / count(*)
            - power(cast(sum(cast(least(greatest(subject_value, -1e9), 1e9) as decimal(38, 6))) as {{ double }}) / count(*), 2)
        )) as spread
    from banded_subjects
    group by subject_name

),

band_moments as (

    select
        subject_name,
        tenure_band,
        cast(sum(cast(subject_value as decimal(38, 9))) as {{ double }}) / count(*) as band_mean
    from banded_subjects
    group by subject_name, tenure_band

),

distribution_profile as (

    select
        counted_to_edges.subject_name,
        counted_to_edges.tenure_band,
        counted_to_edges.edge_value,
        counted_to_edges.is_bin_end,
        cast(counted_to_edges.count_up_to as {{ double }}) / bands.point_count as share_up_to,
        bands.tenure_days_from,
        bands.customer_count as band_customer_count,
        band_moments.band_mean,
        subject_moments.spread
    from counted_to_edges
    inner join bands on counted_to_edges.tenure_band = bands.tenure_band
    inner join subject_moments on counted_to_edges.subject_name = subject_moments.subject_name
    inner join band_moments
        on
            counted_to_edges.subject_name = band_moments.subject_name
            and counted_to_edges.tenure_band = band_moments.tenure_band
    where counted_to_edges.is_edge = 1

)
{%- endmacro %}

{#- CTEs that turn columns into rows: <relation>_subjects, with carried, subject_name, subject_value. -#}
{% macro as_subjects(relation, carried, columns) -%}
subjects as (

    {% for column_name in columns -%}
        select
            {{ loop.index }} as subject_number,
            '{{ column_name }}' as subject_name
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

{{ relation }}_subjects as (

    select
        {{ relation }}.{{ carried }},
        subjects.subject_name,
        case subjects.subject_number
            {%- for column_name in columns %}
                when {{ loop.index }} then cast({{ relation }}.{{ column_name }} as {{ customer_value.type_double() }})
            {%- endfor %}
        end as subject_value
    from {{ relation }}
    cross join subjects

)
{%- endmacro %}
