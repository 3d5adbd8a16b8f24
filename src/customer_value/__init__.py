"""The library behind the dbt package customer_value: training, metrics, scoring SQL, reports."""
