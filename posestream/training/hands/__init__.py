"""Makes the hand model, ``assets/hand_model.npz``, from rendered hands that hold a known pose."""
