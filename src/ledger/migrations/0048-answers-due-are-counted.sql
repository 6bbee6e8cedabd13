-- What was paid for and never had is counted with every reading of the figures.
CREATE INDEX settlements_answers_due ON settlements (id) WHERE answer IN ('due', 'serving');
