# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs cases in other processes: after some errors a GPU's driver is of no more
use to the process that met them."""
import multiprocessing
import threading

HARMLESS = (1, 218, 500, 801)  # errors after which nothing has been launched


def _work(run, names, pipe):
    from driver import CudaError, Driver
    driver = Driver()
    pipe.send(("device", driver.describe()))
    for name in names:
        try:
            pipe.send((name, run(driver, name)))
        except CudaError as e:
            pipe.send((name, f"{e} {e.text.strip()[:300]}"))
            if e.code not in HARMLESS:
                return
    driver.close()


def _follow(context, run, names, results, limit):
    """Starts processes until every case has a result or an error text."""
    while names:
        receive, send = context.Pipe(False)
        process = context.Process(target=_work, args=(run, names, send))
        process.start()
        send.close()
        try:
            while receive.poll(limit):
                name, result = receive.recv()
                results[name] = result
        except EOFError:
            pass
        else:
            process.kill()
        process.join()
        left = [n for n in names if n not in results]
        if len(left) == len(names):  # died or hung without a word
            results[left.pop(0)] = "the process died or hung"
        names = left


def run_all(run, names, jobs=4, limit=20):
    """Name of each case to run(driver, name), or to the text of its error."""
    context = multiprocessing.get_context("spawn")
    results = {}
    threads = [threading.Thread(target=_follow, args=(
        context, run, names[i::jobs], results, limit)) for i in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
