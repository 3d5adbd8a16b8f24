{#- Rows whose value lies outside of an inclusive range; null is not a value. -#}
{% test in_range(model, column_name, minimum=none, maximum=none) %}

select {{ column_name }}
from {{ model }}
where
    1 = 0
    {% if minimum is not none -%} or {{ column_name }} < {{ minimum }} {%- endif %}
    {% if maximum is not none -%} or {{ column_name }} > {{ maximum }} {%- endif %}

{% endtest %}
