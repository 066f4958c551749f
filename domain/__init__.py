"""The rules of stock, in the words of the warehouse. Standard library only: no clock, no I/O.

cell             the stock of one SKU in one warehouse
owner            the actor that hosts a cell and alone appends its entries
seat             a place at which one owner process hosts cells; who holds it is the owner
hot, cool        a pair that takes the better part of its owner's commands; one that no longer does
promote, demote  give a hot pair a seat of its own; take it back when it is cool
entry            one row of the ledger: a positive quantity moved from one bucket to another
bucket           where units are; tracked buckets lie inside a cell, outside buckets keep no balance
pool             a ring-fence inside the available bucket: the open pool, or one named pool
movement         a row of the table kind -> (source, target)
floor            how low a bucket may go: 0, or below 0 for the open pool of a SKU on backorder
on hand          the sum of the tracked buckets
available        units of the open pool, free to be promised
reserve          hold units for a customer, with a deadline
confirm          paid: the hold has no deadline any more
deduct           handed over: reserved goes to the customer
release, expire  given back; timed out
withdraw         undo a hold that was never answered, as if it had not been asked for
adopt            make somebody's unpaid hold one's own, so that they cannot withdraw it
deadline         the instant from which an unpaid hold no longer counts
hold             the part of a reservation that lies in one cell
reservation      all holds made under one client-made id
channel          the shop that a reservation was ordered through: a marketplace, one's own web shop
route            choose the warehouses of an order
receive, return  goods in from a supplier; goods back from a customer
adjust           a correction with a reason: a count gain or a count loss
move             units from one shelf (available, quarantined, damaged) to another
quarantine       quality hold; clear is its end
damage, scrap    set aside as broken; thrown away
transfer         goods moving between two warehouses: transfer out, then transfer in
allot            ring-fence units of the open pool; unallot is its end
flash sale       a sale of set-aside units in a window of time, opened and closed by the clock
allotment        the units set aside for a flash sale in one cell
ticket           a place in the waiting room of a flash sale
read             ask for the level as the owner knows it
draw             hold units out of a sale's pool, in whichever of its cells has them
anchor           the first of all cells of a sale: its owner keeps the sale's tally
tally            what a sale has given so far, and to whom: by it the limit is kept
request          what an owner is asked to do at once: one id, one or more cells, all or nothing
outcome          the stored first answer to a request
refusal          an expected no, a value
outage           cannot say: ask again with the same id
caller           authenticated person or machine with a role
person           somebody with an account: an e-mail address, and a password or a sign-in elsewhere
family           a session: all refresh tokens of one sign-in, of which only the newest is good
second factor    the authenticator of a person, whose codes say that it is them
API key          what a machine shows instead of a token; it has grants of its own
level            what a cell holds at one seq
record           who did or tried what, with what became of it
approval         a sensitive act as one person asked for it and another grants or rejects it
trail            all records, each chained to the one before; a head is its newest, told elsewhere
stretch          a run of entries of one cell, whose hash covers the cell's hash before it
digest           of stretches taken together: told by a record of the trail, it proves the ledger
fence            the cell's version: an append that builds on another version fails whole
"""
