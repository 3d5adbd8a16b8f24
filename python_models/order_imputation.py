"""temp."""


def model(dbt, session):
    return session.sql("select ''::varchar as order_id, 0::decimal(18,2) as gross_amount, 0::decimal(18,2) discount_amount, 0::decimal(18,2) cost_amount where false")
