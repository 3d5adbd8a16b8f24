{#- A time as a UTC timestamp, or null where it can't be read. Text with an offset or a zone's
    name is converted, text without one is taken as UTC. -#}
{% macro to_utc_timestamp(expression) -%}
    {{ return(adapter.dispatch('to_utc_timestamp', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro default__to_utc_timestamp(expression) -%}
    try_cast({{ expression }} as timestamp)
{%- endmacro %}

{#- The branch is chosen by the column's type, so DuckDB folds it away: a native timestamp
    costs nothing, and only text is parsed. -#}
{% macro duckdb__to_utc_timestamp(expression) -%}
    case
        when typeof({{ expression }}) in ('TIMESTAMP', 'DATE', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS')
            then try_cast({{ expression }} as timestamp)
        when typeof({{ expression }}) = 'TIMESTAMP WITH TIME ZONE'
            then timezone('UTC', try_cast({{ expression }} as timestamptz))
        -- Said to be UTC first: only text with a zone of its own does not read so. Left alone, text
        -- without one would be read in the zone of the session.
        else timezone(
            'UTC',
            coalesce(
                try_cast({{ expression }} || ' UTC' as timestamptz),
                try_cast({{ expression }} || ' 00:00:00 UTC' as timestamptz),
                try_cast({{ expression }} || '' as timestamptz)
            )
        )
    end
{%- endmacro %}
