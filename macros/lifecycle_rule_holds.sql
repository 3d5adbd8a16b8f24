{#- Whether a rule of the seed lifecycle_stages holds for a customer's purchase days, silence, return
    and pace. The rules partition whatever a customer may have done: a test holds them to it.
    One case, and not as many conditions: of those DuckDB takes two to join by, and sorts for them. -#}
{% macro lifecycle_rule_holds(customers, rules, silence_rhythms=none) -%}
    case
        when
            {{ customers }}.purchase_day_count between {{ rules }}.purchase_days_from and {{ rules }}.purchase_days_to
            and {{ silence_rhythms if silence_rhythms is not none else customers ~ '.silence_rhythms' }} >= {{ rules }}.silence_rhythms_from
            and {{ silence_rhythms if silence_rhythms is not none else customers ~ '.silence_rhythms' }} < {{ rules }}.silence_rhythms_to
            {% for name in ['return_rhythms', 'pace_ratio'] -%}
                and {{ customers }}.{{ name }} >= {{ rules }}.{{ name }}_from
                and {{ customers }}.{{ name }} < {{ rules }}.{{ name }}_to
            {% endfor -%}
            then true
        else false
    end
{%- endmacro %}
