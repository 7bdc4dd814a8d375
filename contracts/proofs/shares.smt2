; However many accounts register in time: their shares, each rounded down, never exceed the pot together, and none exceeds its equity.
;
; ShareProof shows of the deployed code that a payment is  q = equity * pot div sum  where pot < sum. The invariant over the payments in any order is
;
;     paid * sum <= served * pot        served: sum of the equities paid so far; served <= sum
;
; Integers are unbounded here. Each query asks for a counterexample; the answer must be unsat.
(set-logic QF_NIA)
(declare-const pot Int)
(declare-const sum Int)
(declare-const served Int)
(declare-const paid Int)
(declare-const equity Int)
(declare-const q Int)
(assert (and (<= 0 pot) (< pot sum) (<= 0 served) (<= 0 paid) (< 0 equity)))

(push) ; it holds before the first payment
(assert (and (= served 0) (= paid 0)))
(assert (not (<= (* paid sum) (* served pot))))
(check-sat)
(pop)

; q is the quotient, rounded down
(assert (and (<= (* q sum) (* equity pot)) (< (* equity pot) (* (+ q 1) sum))))

(push) ; a payment keeps it
(assert (<= (* paid sum) (* served pot)))
(assert (not (<= (* (+ paid q) sum) (* (+ served equity) pot))))
(check-sat)
(pop)

(push) ; while it holds, no more than the pot is paid
(assert (and (<= (* paid sum) (* served pot)) (<= served sum)))
(assert (not (<= paid pot)))
(check-sat)
(pop)

(push) ; nobody gets more than its equity
(assert (not (<= q equity)))
(check-sat)
(pop)
