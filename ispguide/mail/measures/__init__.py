"""What there is to measure on a mail server: its queue, scores, mailboxes, certificate,
its flow of mail, its health, and who guesses passwords.

Pure: the questions, what their answers mean as rows, and the rows in words.  Draws
nothing and asks nobody; `tasks.watching` asks, `views` draws.
"""
