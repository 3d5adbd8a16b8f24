with source as (

    {{ customer_value.input_rows('erased_customers') }}

)

select {{ customer_value.to_key('erased_customers', 'customer_id') }} as customer_id
from source

{%- if var('pseudonymize') %}

-- An erasure may be recorded under the pseudonym, so that no record holds the id itself.
union all

select cast(input_customer_id as {{ dbt.type_string() }}) as customer_id
from source
{%- endif %}
