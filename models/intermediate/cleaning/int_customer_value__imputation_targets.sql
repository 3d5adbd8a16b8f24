{%- set columns = {'amount': 'gross_amount'} %}
{%- set targets = [] %}
{%- for input_name, methods in (var('missing_values') or {}).items() %}
    {%- for name, method in methods.items() if method == 'predict' %}
        {%- do targets.append((input_name, columns.get(name, name))) %}
    {%- endfor %}
{%- endfor %}

-- Python models can't read vars; and a first row without a name gives the columns their types.
with targets as (

    select
        cast(null as {{ dbt.type_string() }}) as input_name,
        cast(null as {{ dbt.type_string() }}) as column_name
    {%- for input_name, column_name in targets %}

    union all

    select
        '{{ input_name }}' as input_name,
        '{{ column_name }}' as column_name
    {%- endfor %}

)

select
    input_name,
    column_name,
    cast({{ var('max_training_rows') }} as {{ dbt.type_bigint() }}) as max_training_rows,
    cast({{ var('random_seed') }} as {{ dbt.type_bigint() }}) as random_seed
from targets
where input_name is not null
