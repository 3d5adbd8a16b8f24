{#- The group columns of the input customers that the var fairness_groups names. Models ask while
    dbt still parses, before any hook can speak: a name that can't be one is left out here, and said
    by validate_vars. -#}
{% macro fairness_groups() -%}
    {%- set given = var('fairness_groups') -%}
    {%- set groups = [] -%}
    {%- for name in (given if given is sequence and given is not string and given is not mapping else []) if customer_value._is_group_name(name) -%}
        {%- do groups.append(name) -%}
    {%- endfor -%}
    {{ return(groups | unique | list) }}
{%- endmacro %}

{% macro _is_group_name(name) -%}
    {{ return(
        name is string and modules.re.match('^[a-z][a-z0-9_]*$', name) is not none
        and name not in ['customer_id', 'email', 'name', 'acquired_at', 'acquisition_cost', 'time_zone']
    ) }}
{%- endmacro %}

{#- What is wrong with the var fairness_groups. -#}
{% macro _fairness_groups_problems() -%}
    {%- set given = var('fairness_groups') -%}
    {%- if given is none -%}
        {{ return([]) }}
    {%- elif given is string or given is mapping or given is not sequence -%}
        {{ return(["fairness_groups is " ~ (given | tojson) ~ "; it takes a list of columns of the input customers, such as [age_band, region]."]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- for name in given if not customer_value._is_group_name(name) -%}
        {%- if name in ['customer_id', 'email', 'name'] -%}
            {%- do problems.append("fairness_groups names " ~ name ~ ", which tells persons and not groups; it takes columns such as age_band or region.") -%}
        {%- elif name in ['acquired_at', 'acquisition_cost'] -%}
            {%- do problems.append("fairness_groups names " ~ name ~ ", which is no text; map a column of its ranges under a name of its own: columns: {cost_band: <expression>}.") -%}
        {%- else -%}
            {%- do problems.append("fairness_groups names " ~ (name | tojson) ~ "; it takes names of lower-case letters, digits and underscores, such as age_band.") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set groups = customer_value.fairness_groups() -%}
    {%- if groups and not customer_value.declared_inputs('customers') -%}
        {%- do problems.append(
            "fairness_groups names " ~ groups | join(', ') ~ ", but inputs gives no customers, whose columns they are: write inputs: {customers: {path: <file>}}, or fairness_groups: []."
        ) -%}
    {%- endif -%}
    {%- for name in groups -%}
        {%- for declared in customer_value.declared_inputs('customers') -%}
            {%- set columns = declared.get('columns') or {} -%}
            {%- if name in customer_value._own_customer_columns() and name not in columns -%}
                {%- do problems.append("fairness_groups names " ~ name ~ ", which customers does not map: write columns: {" ~ name ~ ": <expression>}.") -%}
            {%- endif -%}
            {%- set expression = customer_value._plain_expression(columns.get(name, name)) -%}
            {%- for personal in ['customer_id', 'email', 'name'] if expression == customer_value._plain_expression(columns.get(personal, personal)) -%}
                {%- do problems.append(
                    "fairness_groups names " ~ name ~ ", which is the " ~ personal ~ " of customers: that tells persons and not groups; it takes columns such as age_band or region."
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro _plain_expression(expression) -%}
    {{ return(expression | string | trim | replace('"', '') | lower) }}
{%- endmacro %}

{#- The optional columns of customers that are ours whatever groups are named. -#}
{% macro _own_customer_columns() -%}
    {{ return(['acquired_at', 'acquisition_cost', 'acquisition_channel', 'email', 'name', 'store']) }}
{%- endmacro %}
