"""Systems that can be evaluated: ragvl itself, and baselines; `ragvl.registry` names them."""
