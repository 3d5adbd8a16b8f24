{#- A time as a UTC timestamp, or null where it can't be read. Text with an offset or a zone's
    name is converted; a time without one was written in the given zone, an SQL expression. -#}
{% macro to_utc_timestamp(expression, time_zone="'UTC'") -%}
    {{ return(adapter.dispatch('to_utc_timestamp', 'customer_value')(expression, time_zone)) }}
{%- endmacro %}

{#- Spark knows a time with a zone as one instant, whatever the session's; of text, what ends in an
    offset or a zone's name. -#}
{% macro spark__to_utc_timestamp(expression, time_zone) -%}
    {%- set instant -%} cast(try_cast({{ expression }} as timestamp_ltz) as timestamp) {%- endset -%}
    {%- set moved -%} cast(to_utc_timestamp({{ instant }}, {{ time_zone }}) as timestamp) {%- endset -%}
    {%- set an_hour_later = customer_value.dateadd('hour', 1, moved) -%}
    {%- if time_zone == "'UTC'" -%}
        {{ instant }}
    {%- else -%}
        case
            when typeof({{ expression }}) = 'timestamp'
                or regexp_matches(cast({{ expression }} as varchar), '([zZ]|[0-9] ?[+-][0-9]{2}:?[0-9]{2}|[A-Za-z]+/[A-Za-z_]+|UTC|GMT)$')
                then {{ instant }}
            when {{ instant }} between timestamp '1800-01-01' and timestamp '2300-01-01'
                -- Of an hour that comes twice the later one, as DuckDB takes it; Spark takes the earlier.
                then case
                    when cast(from_utc_timestamp({{ an_hour_later }}, {{ time_zone }}) as timestamp) = {{ instant }} then {{ an_hour_later }}
                    else {{ moved }}
                end
            else {{ instant }}
        end
    {%- endif -%}
{%- endmacro %}

{#- The branch is chosen by the column's type, so DuckDB folds it away: a native timestamp
    costs nothing, and only text is parsed. -#}
{% macro default__to_utc_timestamp(expression, time_zone) -%}
    case
        when typeof({{ expression }}) in ('TIMESTAMP', 'DATE', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS')
            then {{ customer_value._moved_to_utc('try_cast(' ~ expression ~ ' as timestamp)', time_zone) }}
        when typeof({{ expression }}) = 'TIMESTAMP WITH TIME ZONE'
            then timezone('UTC', try_cast({{ expression }} as timestamptz))
        -- Said to be of that zone first: only text with a zone of its own does not read so. Left
        -- alone, text without one would be read in the zone of the session.
        else timezone(
            'UTC',
            coalesce(
                try_cast({{ expression }} || ' ' || {{ time_zone }} as timestamptz),
                try_cast({{ expression }} || ' 00:00:00 ' || {{ time_zone }} as timestamptz),
                try_cast({{ expression }} || '' as timestamptz)
            )
        )
    end
{%- endmacro %}

{#- Times beyond every plausible one stay as they are, to be rejected: to move them could overflow. -#}
{% macro _moved_to_utc(timestamp, time_zone) -%}
    {%- if time_zone == "'UTC'" -%}
        {{ timestamp }}
    {%- else -%}
        case
            when {{ timestamp }} between timestamp '1800-01-01' and timestamp '2300-01-01'
                then timezone('UTC', timezone({{ time_zone }}, {{ timestamp }}))
            else {{ timestamp }}
        end
    {%- endif -%}
{%- endmacro %}
