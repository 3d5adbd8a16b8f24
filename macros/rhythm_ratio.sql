{#- What a purchase says beside the rhythm up to it, from sums over the gaps between purchase days: how
    many, and the days that they all, the last four and the last one add up to. shop_days is the
    shop's rhythm on the day of the purchase; two of its gaps stand beside the customer's own. -#}

{#- The last gap over what was expected before it. -#}
{% macro return_rhythms(gap_count, total_gap_days, last_gap_days, shop_days) -%}
    case
        when {{ gap_count }} = 0 then 0
        else
            {{ last_gap_days }}
            / ({{ customer_value.rhythm(gap_count ~ ' - 1', total_gap_days ~ ' - ' ~ last_gap_days, shop_days) }})
    end
{%- endmacro %}

{#- The rhythm before the last four gaps over that of these four, one gap of the earlier rhythm added
    to them: a single short gap is no change. -#}
{% macro pace_ratio(gap_count, total_gap_days, recent_gap_days, shop_days) -%}
    {%- set recent_count = 'least(' ~ gap_count ~ ', 4)' -%}
    {%- set earlier = customer_value.rhythm(gap_count ~ ' - ' ~ recent_count, total_gap_days ~ ' - ' ~ recent_gap_days, shop_days) -%}
    case
        when {{ gap_count }} = 0 then 1
        else {{ earlier }} / (({{ recent_gap_days }} + {{ earlier }}) / ({{ recent_count }} + 1))
    end
{%- endmacro %}

{#- Days between two purchases: the mean of the gaps, two of the shop's added. -#}
{% macro rhythm(gap_count, total_gap_days, shop_days) -%}
    ((cast({{ total_gap_days }} as {{ customer_value.type_double() }}) + 2 * {{ shop_days }}) / ({{ gap_count }} + 2))
{%- endmacro %}
