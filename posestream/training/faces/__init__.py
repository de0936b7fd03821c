"""Makes the face model, ``assets/face_model.npz``, from rendered heads that hold a known face."""
