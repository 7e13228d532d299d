"""What comes in, and what is wrong with it before it costs money: the form, the pre-flight, the composer."""
