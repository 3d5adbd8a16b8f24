{#- What stands for an id where ids are not to be seen: 32 hexadecimal digits that nobody can tell
    the id from without the key, and that are the same in every table and every run with that key.
    Null and blank stay as they are. The expression is written out three times: give a column,
    not a calculation. -#}
{% macro pseudonym(expression) -%}
    {{ return(adapter.dispatch('pseudonym', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro default__pseudonym(expression) -%}
    {{ exceptions.raise_compiler_error(
        "The var pseudonymize is true, but only DuckDB has variables of a session to keep the key in. Set it to false, and give pseudonyms as customer_id in the inputs instead."
    ) }}
{%- endmacro %}

{#- The first 128 bits of HMAC-SHA-256. A session without the key, such as that of a reader of a
    view, is stopped with a sentence: null would make one customer of all. -#}
{% macro duckdb__pseudonym(expression) -%}
    case
        when {{ expression }} is null or {{ customer_value.is_blank(expression) }} then {{ expression }}
        else substring(sha256(
            {{ customer_value._pseudonym_block('outer') }} || unhex(sha256(
                {{ customer_value._pseudonym_block('inner') }} || encode({{ expression }})
            ))
        ), 1, 32)
    end
{%- endmacro %}

{% macro _pseudonym_block(name) -%}
    coalesce(
        cast(getvariable('customer_value_pseudonym_{{ name }}') as blob),
        cast(error('customer_value: this session has no key for pseudonyms. Query the tables, not the views of staging; in dbt, set CUSTOMER_VALUE_PSEUDONYM_KEY and name the plugin customer_value.pseudonyms in the profile.') as blob)
    )
{%- endmacro %}

{#- Sentences on why pseudonyms can't be computed in this run; none if they can. The session is
    asked and not env_var(), which would have dbt write the key into its cache of the project. -#}
{% macro require_pseudonym_key() -%}
    {{ return(adapter.dispatch('require_pseudonym_key', 'customer_value')()) }}
{%- endmacro %}

{% macro default__require_pseudonym_key() -%}
    {{ return(["pseudonymize is true, but only DuckDB has variables of a session to keep the key in; set it to false, and give pseudonyms as customer_id in the inputs instead."]) }}
{%- endmacro %}

{% macro duckdb__require_pseudonym_key() -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set state = run_query("select getvariable('customer_value_pseudonym_state') as state").rows[0][0] -%}
    {%- if state is none -%}
        {{ return([
            "pseudonymize is true, but the profile does not name the plugin that holds the key; write plugins: [{module: customer_value.pseudonyms}] in the output " ~ target.name ~ " of your profiles.yml."
        ]) }}
    {%- elif state == 'unset' -%}
        {{ return([
            "pseudonymize is true, but the environment variable CUSTOMER_VALUE_PSEUDONYM_KEY is not set; it takes a secret of 16 characters or more, the same in every run."
        ]) }}
    {%- elif state == 'short' -%}
        {{ return([
            "CUSTOMER_VALUE_PSEUDONYM_KEY is shorter than 16 characters; it takes a secret that can't be guessed, such as openssl rand -hex 32 gives."
        ]) }}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}
