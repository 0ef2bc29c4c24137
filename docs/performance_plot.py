#!/usr/bin/env python3
"""Plots what `tieout bench` wrote: docs/performance_plot.py BENCH SHARDS, run where the pictures shall lie.

BENCH is the file of `tieout bench --threads N --json BENCH`, SHARDS what `tieout bench --cases N --shards M >SHARDS` printed.

performance_layers.svg: how many times as fast as FBGEMM and as ONEDNN each layer is, on one thread.
performance_cost.svg: nanoseconds for a thousand multiply-adds, by the layer's size.
performance_threads.svg: each network's time on one thread as a multiple of its time on several.
performance_campaigns.svg: microseconds a case in longer and longer campaigns, and campaigns cut into shards.
"""
import json
import re
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "tieout", "font.size": 8, "svg.fonttype": "none"})
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

OURS, FBGEMM, ONEDNN = "#0b6e4f", "#c8553d", "#3d5a98"


def save(figure, name):
    figure.tight_layout()
    figure.savefig(name, metadata={"Date": None})


def layers_plot(layers):
    figure, axes = plt.subplots(figsize=(7.5, 0.16 * len(layers) + 1))
    places = list(range(len(layers)))[::-1]
    axes.axvline(1, color="black", linewidth=0.8)
    for engine, color in (("fbgemm", FBGEMM), ("onednn", ONEDNN)):
        ratios = [layer[engine + "_seconds"] / layer["ours_seconds"] for layer in layers]
        axes.plot(ratios, places, "o", color=color, markersize=3.5, label=engine.upper())
    axes.set_yticks(places, [f'{layer["name"]}  x{layer["count"]}' for layer in layers])
    axes.set_ylim(-1, len(layers))
    axes.set_xlabel("time of the engine / time of the packed kernel, one thread: right of 1 the packed kernel is faster")
    axes.grid(axis="x", linewidth=0.3)
    axes.legend(loc="lower right")
    save(figure, "performance_layers.svg")


def cost_plot(layers):
    figure, axes = plt.subplots(figsize=(7.5, 3.2))
    for key, color, label in (("ours", OURS, "packed kernel"), ("fbgemm", FBGEMM, "FBGEMM"), ("onednn", ONEDNN, "ONEDNN")):
        cost = [layer[key + "_seconds"] * 1e12 / layer["multiply_adds"] for layer in layers]
        axes.loglog([layer["multiply_adds"] for layer in layers], cost, "o", color=color, markersize=3, label=label)
    peak = max(layer["peak_multiply_adds_per_second"] for layer in layers)
    axes.axhline(1e12 / peak, color="black", linewidth=0.8, linestyle="--", label="peak of the multiply-add")
    axes.set_xlabel("multiply-adds of the layer")
    axes.set_ylabel("ns for 1000 multiply-adds")
    axes.grid(linewidth=0.3)
    axes.legend()
    save(figure, "performance_cost.svg")


def threads_plot(runs):
    networks = list(dict.fromkeys(layer["network"] for layer in runs[0]["layers"]))
    figure, all_axes = plt.subplots(1, len(networks), figsize=(7.5, 2.6), sharey=True, squeeze=False)
    threads = [run["threads"] for run in runs]
    for axes, network in zip(all_axes[0], networks):
        for key, color, label in (("ours", OURS, "packed kernel"), ("fbgemm", FBGEMM, "FBGEMM"), ("onednn", ONEDNN, "ONEDNN")):
            totals = [sum(layer["count"] * layer[key + "_seconds"] for layer in run["layers"] if layer["network"] == network) for run in runs]
            axes.plot(threads, [totals[0] / total for total in totals], "o-", color=color, markersize=3, label=label)
        axes.plot(threads, threads, color="black", linewidth=0.5, linestyle="--")
        axes.set_title(network)
        axes.set_xticks(threads)
        axes.set_xlabel("threads")
        axes.grid(linewidth=0.3)
    all_axes[0][0].set_ylabel("times as fast as on one")
    all_axes[0][0].legend()
    save(figure, "performance_threads.svg")


def campaigns_plot(text):
    figure, (cost, shards) = plt.subplots(1, 2, figsize=(7.5, 2.8))
    by_cases, by_shards = text.split("By simulation")
    rows = re.compile(r"^(\S.*?\S) +([0-9]+) +[0-9.]+ +([0-9.]+)", re.MULTILINE)
    for axes, part in ((cost, by_cases), (shards, by_shards)):
        found = rows.findall(part)
        for mix, color in zip(dict.fromkeys(row[0] for row in found), (OURS, FBGEMM)):
            points = [(int(x), float(y)) for name, x, y in found if name == mix]
            axes.plot(*zip(*points), "o-", color=color, markersize=3, label=mix)
        axes.set_xscale("log", base=2)
        axes.grid(linewidth=0.3)
    most = shards.get_xlim()[1]
    shards.plot([1, most], [1, most], color="black", linewidth=0.5, linestyle="--")
    shards.set_yscale("log", base=2)
    shards.set_xlabel("shards, by simulation")
    shards.set_ylabel("times as fast as one")
    cost.set_ylim(bottom=0)
    cost.set_xlabel("cases of the campaign so far")
    cost.set_ylabel("us a case")
    cost.legend()
    save(figure, "performance_campaigns.svg")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    layers_plot(runs[0]["layers"])
    cost_plot(runs[0]["layers"])
    if len(runs) > 1:
        threads_plot(runs)
    with open(sys.argv[2], encoding="utf-8") as file:
        campaigns_plot(file.read())


if __name__ == "__main__":
    main()
