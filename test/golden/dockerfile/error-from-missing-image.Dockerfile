FROM bas:1 AS base
