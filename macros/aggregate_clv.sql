{#- What a customer is worth on average, from averages alone: for scenarios, before there is an order
    log to learn from, or beside what was learnt. Each period's margin is revenue less the cost of
    service, comes at the period's end from who is still there, and is discounted:

        sum over t = 1 .. horizon of (revenue - service cost) * retention ^ t / (1 + discount) ^ t

    With no horizon that is margin * r / (1 + d - r), the margin multiple of Gupta and Lehmann,
    "Customers as Assets" (2003). Arguments are SQL expressions, columns as well; the rates are per
    period, the horizon a whole number of periods, none or null for ever. Null where the sum has no
    end, which is where nobody leaves and nothing is discounted, and where a rate or the horizon can't
    be meant. customer_value.cltv.aggregate_clv is the same in Python. -#}
{% macro aggregate_clv(revenue_per_period, retention_rate, service_cost_per_period, discount_rate, horizon=none) -%}
    {%- set double = customer_value.type_double() -%}
    {%- set margin -%}
        (cast({{ revenue_per_period }} as {{ double }}) - cast({{ service_cost_per_period }} as {{ double }}))
    {%- endset -%}
    {%- set retention -%} cast({{ retention_rate }} as {{ double }}) {%- endset -%}
    {%- set discount -%} cast({{ discount_rate }} as {{ double }}) {%- endset -%}
    {%- set periods -%} cast({{ 'null' if horizon is none else horizon }} as {{ double }}) {%- endset -%}
    {%- set kept -%} ({{ retention }} / (1 + {{ discount }})) {%- endset -%}
    case
        when not {{ retention }} between 0 and 1 or {{ discount }} < 0 or {{ periods }} < 0 or {{ periods }} <> floor({{ periods }}) then null
        -- Nobody leaves and nothing is discounted: every period is worth the same.
        when {{ retention }} = 1 and {{ discount }} = 0 then {{ margin }} * {{ periods }}
        else
            {{ margin }} * {{ retention }} / (1 + {{ discount }} - {{ retention }})
            * (1 - coalesce(power({{ kept }}, {{ periods }}), 0))
    end
{%- endmacro %}
