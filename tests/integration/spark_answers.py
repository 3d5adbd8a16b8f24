"""What Spark answers to queries in DuckDB's words, both as JSON; build/spark runs it."""

import json
import sys

from pyspark.sql import SparkSession

from customer_value.dialects import translate

session = (
    SparkSession.builder.master("local[1]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.timestampType", "TIMESTAMP_NTZ")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
answers = []
for query in json.load(sys.stdin):
    try:
        (row,) = session.sql(translate(query, "spark")).collect()
        answers.append([None if value is None else str(value) for value in row])
    except Exception as error:  # noqa: BLE001 - told with the others' answers
        answers.append(str(error))
json.dump(answers, sys.stdout)
